"""What a user writes, and how it is found, called and described.

model.py      the contract with its author, and a loaded model
loader.py     a target -> the object that it names; subject.py is what of it is called
signature.py  type hints -> schemas and an input decoder; hints.py finds them, reading.py decides who reads them,
              parts.py is what they are made of, constraints.py what they demand
input.py      JSON -> the input; output.py: the output -> JSON
schema.py     the check that a server makes without the model; checked_schema.py is what it compiles,
              misfit.py the sentence for what does not fit
foreign/      libraries that a model may use: numpy, annotated-types, pydantic
user_error.py what an exception of the user's code says
mock.py       the built-in default model
"""
