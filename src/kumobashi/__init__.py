"""Kumobashi (雲橋) carries a municipality's data between its hall and the clouds it has chosen.

Start reading at ``kumobashi.exchange.sending``, the main path; ``receiving`` is its mirror.
``kumobashi.testing`` holds the fictional city and the fakes; production code imports none of it.
"""

__all__ = ["__version__"]

__version__ = "0.1.0.dev0"
