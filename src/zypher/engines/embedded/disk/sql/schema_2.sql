-- Dead letters are looked for at each start.
CREATE INDEX outcomes_dead ON outcomes (finished_at) WHERE failure_kind = 'worker_lost';
