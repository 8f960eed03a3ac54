"""What all tests share: the same examples in every run, and no limit on their time: a busy machine is not wrong."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "tallystick", deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("tallystick")
