from django.apps import AppConfig


class WiringConfig(AppConfig):
    """No rows: the checks before a deployment, and the commands of whoever runs the place."""

    name = "config"
    label = "wiring"

    def ready(self) -> None:
        from config import checks  # noqa: F401  # registers itself
