"""Runs a model that has `predict_batch`: attempts that arrive together run together.

line.py      those that wait, and the batches that they form, as release.py decides
batch.py     a batch that runs: its members stay individuals
calls.py     a batch as calls of the model, and the ending of each member
threads.py   batches of a `def` model; tasks.py those of an `async def` model
"""
