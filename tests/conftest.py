"""What all tests share: no example has a deadline, since a busy machine is slow and not wrong."""

from hypothesis import settings

settings.register_profile("tallystick", deadline=None)
settings.load_profile("tallystick")
