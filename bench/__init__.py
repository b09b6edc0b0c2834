"""The figures this project states, each printed by a script that anybody can run."""
