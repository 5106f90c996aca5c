"""A process that uses the package as a user's would, through the environment that it was started with.

Reads one JSON list [call, argument, ...] a line; writes one JSON object with `result`, or `error` and `kind`.
"""

import json
import sys

from replication.lm.locating import locate
from replication.tasks import load_task


def where(name, revision=""):
    source = locate(name, revision)
    return {"offline": source.offline, "revision": source.revision}


def load(name):
    from replication.lm.loading import load as load_model

    lm = load_model(name)
    total = sum(float(weights.double().abs().sum()) for weights in lm.model.parameters())
    return {"fingerprint": lm.fingerprint, "weights": total, "ids": lm.encode("Tom has 3 pears.")}


def questions(task, number=4):
    return [[one.text, one.answer] for one in load_task(task).questions(n=number)]


CALLS = {"locate": where, "load": load, "questions": questions}

if __name__ == "__main__":
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever a library prints is no answer
    for line in sys.stdin:
        call, *arguments = json.loads(line)
        try:
            found = {"result": CALLS[call](*arguments)}
        except Exception as error:
            found = {"error": str(error), "kind": type(error).__name__}
        print(json.dumps(found), file=answers, flush=True)
