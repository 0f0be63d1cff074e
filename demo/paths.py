"""Where things are in this checkout."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
INTEGRATION = CHECKOUT / "custom_components" / "espcloud"
BLUEPRINTS = CHECKOUT / "blueprints"
LOCAL_CLOUD = CHECKOUT / "scripts" / "run_local_cloud.py"
DEMO_FOLDER = CHECKOUT / ".demo"
LOCAL_DEMO_FOLDER = CHECKOUT / ".demo-local"
TOOLS = CHECKOUT / ".setup"
