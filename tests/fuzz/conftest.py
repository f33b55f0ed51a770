"""How long the property tests look: quickly in the suite, for long with `--hypothesis-profile=long`."""

from hypothesis import HealthCheck, Phase, settings

# A slow machine is no failure, and neither is a test that needs more thought than others. What went wrong is told as it
# was found in the suite: making it smaller can take minutes, and is for the long run.
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
settings.register_profile(
    "quick",
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=SLOW,
)
settings.register_profile(
    "long",
    max_examples=3_000,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
    suppress_health_check=SLOW,
)
settings.load_profile("quick")
