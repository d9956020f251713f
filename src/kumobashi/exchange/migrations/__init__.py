"""Numbered changes of the state's tables; ``pre`` ones run before new code, ``post`` ones after."""
