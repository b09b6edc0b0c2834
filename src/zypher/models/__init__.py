"""What a user writes, and how it is found, called and described.

model.py      the contract with its author, and a loaded model
loader.py     a target -> the object that it names; importing.py imports it (packages.py has the name of its package,
              by_file.py is for a name that is none of a module), user_model.py finds what to call
signature.py  type hints -> schemas and an input decoder; hints.py finds them, hint_reader.py chooses what reads them,
              hint_parts.py takes them apart, constraints.py translates their constraints, parameters.py makes several
              parameters one input
batch.py      `predict_batch`: which inputs it takes, and one output for each
input.py      JSON -> the input
output.py     the output -> JSON; plain_values.py makes values of it that JSON has, output_errors.py says what it lacks
schema.py     the check that a server makes without the model; checked_schema.py is what it compiles,
              input_errors.py the sentence for an input that does not fit
libraries/    libraries that a model may use: numpy, pandas, annotated-types, pydantic
user_error.py exceptions of the user's code as sentences and tracebacks
mock.py       the built-in default model
"""
