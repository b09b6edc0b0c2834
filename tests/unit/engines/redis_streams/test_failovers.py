import pytest

from zypher.engines.redis_streams.connection.failovers import Lag

NO_REPLICA = "role:master\r\nconnected_slaves:0\r\nmaster_repl_offset:1200\r\n"
REPLICAS = (
    "role:master\r\nconnected_slaves:2\r\n"
    "slave0:ip=10.0.0.2,port=6379,state=online,offset=900,lag=1\r\n"
    "slave1:ip=10.0.0.3,port=6379,state=online,offset=1150,lag=0\r\n"
    "master_failover_state:no-failover\r\nmaster_repl_offset:1200\r\nsecond_repl_offset:-1\r\n"
)


@pytest.mark.parametrize(
    ("info", "lag"),
    [
        (REPLICAS, Lag(50, 0)),
        (REPLICAS.replace("offset:1200", "offset:1100"), Lag(0, 0)),
        (NO_REPLICA, None),
        ("role:slave\r\n", None),
    ],
)
def test_lag_is_what_the_nearest_replica_lacks(info: str, lag: Lag | None) -> None:
    assert Lag.read(info) == lag
