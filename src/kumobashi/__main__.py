"""``python -m kumobashi`` is the same as ``kumobashi``."""

from kumobashi.cli import main

if __name__ == "__main__":
    main()
