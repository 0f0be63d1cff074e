"""How much is measured."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How often and how long each row is measured.

    Attributes:
        rounds: of each contestant, one after the other, then again.
        pushes: commands pushed in a round, an even number.
        calls: service calls in a round.
        loads: how many devices one Home Assistant has, one instance after the other.
        idle: seconds in which nothing happens; a device pings every 25 s.
        outage: seconds without a cloud, for the longer of two outages; 0 leaves it out.
        starts: fresh processes whose start is measured.
        cloud_loads: how many devices are connected to local_cloud.
        cloud_seconds: how long calls are sent to each of those loads.
        stored: how many datapoints local_cloud has before more are stored.
        plugs: how many devices an account has that are asked how they are.
        polling: seconds for which that is measured.
        posts: datapoints that a sensor posts in a round.
        household: how many devices a Home Assistant that is the cloud has.
    """

    rounds: int
    pushes: int
    calls: int
    loads: tuple[int, ...]
    idle: float
    outage: float
    starts: int
    cloud_loads: tuple[int, ...]
    cloud_seconds: float
    stored: tuple[int, ...]
    plugs: int
    polling: float
    posts: int
    household: int


FULL = Scale(
    rounds=11,
    pushes=6000,
    calls=400,
    loads=(1, 10, 100, 1000),
    idle=75,
    outage=60,
    starts=11,
    cloud_loads=(1, 100, 1000),
    cloud_seconds=8,
    stored=(0, 100_000, 1_000_000),
    plugs=200,
    polling=180,
    posts=1000,
    household=1000,
)
QUICK = Scale(
    rounds=2,
    pushes=3000,
    calls=150,
    loads=(1000,),
    idle=25,
    outage=0,
    starts=2,
    cloud_loads=(1, 1000),
    cloud_seconds=2,
    stored=(0, 100_000),
    plugs=20,
    polling=15,
    posts=300,
    household=1000,
)
