"""What schemathesis does besides in test_openapi.py. Runs in an environment of
its own, without this package.
"""

import os

import schemathesis

# Names of tokens that there are.
NAMES = os.environ["WEMASY_TOKENS"].split()
# Schemas of what is sent.
SENT = ("Request", "LeakedToken", "TokenChanges")


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """An answer has no field that the document does not name.

    In the document itself there may be more: a later version adds some.
    """
    for name, schema in raw_schema["components"]["schemas"].items():
        if not name.endswith(SENT):
            schema["additionalProperties"] = False


@schemathesis.hook
def before_call(context, case, kwargs):
    """Every other time, a token that there is."""
    parameters = case.path_parameters
    if "token" in (parameters or {}) and any(NAMES):
        number = sum(str(parameters["token"]).encode())
        if number % 2:
            _, project, _, token = NAMES[number % len(NAMES)].split("/")
            parameters.update(project=project, token=token)
