INSERT OR REPLACE INTO models (model, card)
VALUES (?, ?)
