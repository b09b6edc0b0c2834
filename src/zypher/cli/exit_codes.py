"""What the exit code of a command says."""

DONE = 0
FAILED = 1  # the prediction failed, or the server did not answer or answered an error
WRONG = 2  # the command, a setting or the model is wrong
INTERRUPTED = 130  # what a shell says of SIGINT; of serve and worker: a second signal cut the drain
UNREAD = 141  # whoever read the output went away; what a shell says of SIGPIPE
