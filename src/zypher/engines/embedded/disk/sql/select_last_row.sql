-- What was moved from damaged places has higher numbers.
SELECT max(
    coalesce((SELECT max(number) FROM predictions WHERE number < 4611686018427387904), 0),
    coalesce((SELECT max(number) FROM outcomes WHERE number < 4611686018427387904), 0),
    coalesce((SELECT max(number) FROM waiting WHERE number < 4611686018427387904), 0)
)
