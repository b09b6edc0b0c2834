"""Predictions under faults: everything that was accepted is accounted for.

    question         what is asked: an input whose answer can be checked
    ledger           what was accepted and what was read of it
    load             callers that submit and read over HTTP
    schedule         from a seed: when which fault strikes
    faults           what can happen to a service
    lost_keys        what Redis may lose; damaged_page: what a data file may
    member           one process of it, that can be killed, frozen and started again
    stage            all of them; embedded and redis_streams say which
    proxy            the way to Redis, that can be cut and delayed
    runs             what the model itself noted
    report           the account
    storm            all of it, from the start to the account

`python -m tests.chaos --help` runs it for as long as one likes.
"""
