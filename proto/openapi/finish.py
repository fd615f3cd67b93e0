"""Finishes the OpenAPI document that protoc-gen-openapi made of the protos.

    finish.py DOCUMENT DESCRIPTORS

prints it with what the generator cannot know: how errors look and which there
are, who may call, what is required where a part of a request is in the path,
and the bounds of values. Fails if the document has not all methods and paths of
the google.api.http annotations in DESCRIPTORS.
"""

import copy
import pathlib
import re
import sys

import yaml
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2

# How a code comes over HTTP, and what it means to the caller.
HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNKNOWN": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
RESPONSES = {
    400: ("BadRequest", "The request is malformed, or the state of things does "
          "not allow it. `INVALID_ARGUMENT` or `FAILED_PRECONDITION`."),
    401: ("Unauthorized", "Nobody has said who calls. `UNAUTHENTICATED`."),
    403: ("Forbidden", "The caller may not do this. `PERMISSION_DENIED`."),
    404: ("NotFound", "There is no such thing. `NOT_FOUND`."),
    409: ("Conflict", "Something else came first. `ALREADY_EXISTS` or "
          "`ABORTED`."),
    413: ("ContentTooLarge", "The body is larger than the gateway takes. "
          "`RESOURCE_EXHAUSTED`."),
    415: ("UnsupportedMediaType", "The body is not JSON. `INVALID_ARGUMENT`."),
    429: ("TooManyRequests", "A limit is reached. `RESOURCE_EXHAUSTED`."),
    431: ("HeadersTooLarge", "The headers or the query are larger than the "
          "gateway takes. `RESOURCE_EXHAUSTED`."),
    500: ("InternalError", "A fault of the service, or the outcome is not "
          "known. `INTERNAL` or `UNKNOWN`."),
    503: ("Unavailable", "Not now; nothing was changed. Try again. "
          "`UNAVAILABLE`."),
    504: ("Timeout", "It took too long; the reason says whether something was "
          "changed. `DEADLINE_EXCEEDED`."),
}
# What every operation may answer, beside the codes that its comment names.
ALWAYS = {400, 401, 403, 429, 431, 500, 503, 504}
WITH_BODY = {413, 415}

SELF = "SelfService"

DESCRIPTION = """\
The calls of the service as HTTP and JSON, as Envoy turns them into gRPC by
`deploy/gateways/envoy-rest.yaml`. The calls of SelfService are for whoever
holds a token, and are served by `deploy/gateways/envoy.yaml`.
`docs/rest.md` says how to run both.

Texts here are those of the protos. A field that they call `page_size` is
`pageSize` in JSON and in a query, and a message's name is the schema's. A field
with its type's zero value, such as an empty list, is left out of responses.
64-bit numbers are strings.

An error is a `google.rpc.Status`, and its HTTP status follows from the code:

| code | HTTP status |
|---|---|
""" + "".join(f"| `{code}` | {http} |\n" for code, http in HTTP_STATUS.items())

PROJECT = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
ACTOR = {"minLength": 1, "maxLength": 128, "pattern": "^[ -~]+$"}
# Paths of schemas and parameters, and what else is known of them.
BOUNDS = {
    "Token.displayName": {"minLength": 1, "maxLength": 100},
    "Token.description": {"maxLength": 1000},
    "Token.scopes": {"maxItems": 64},
    "Token.scopes.items": {"maxLength": 64, "pattern": "^[a-z][a-z0-9_.:/-]*$"},
    "Token.metadata": {"maxProperties": 16},
    "Token.metadata.additionalProperties": {"maxLength": 256,
                                            "pattern": "^[ -~]*$"},
    "RevokeTokenRequest.actor": ACTOR,
    "RevokeTokenRequest.comment": {"maxLength": 500},
    "RotateTokenRequest.actor": ACTOR,
    "RotateTokenRequest.requestId": {"format": "uuid"},
    "RevokeLeakedTokensRequest.actor": ACTOR,
    "RevokeLeakedTokensRequest.leakedTokens": {"minItems": 1, "maxItems": 1000},
    "LeakedToken.source": {"maxLength": 100, "pattern": "^[ -~]*$"},
    "LeakedToken.url": {"maxLength": 500, "pattern": "^[ -~]*$"},
    "ValidateRequest.requiredScopes": {"maxItems": 64},
}
PARAMETERS = {
    "actor": ACTOR,
    "pageSize": {"minimum": 0},
    "filter": {"maxLength": 1000},
    "requestId": {"format": "uuid"},
    "token": {"pattern": "^t[0-9a-v]{26}$"},
    "project": {"pattern": f"^{PROJECT}$"},
}
# Where `-` stands for all projects.
ALL_PROJECTS = {"TokenService_ListTokens", "TokenService_ListAuditEvents"}
REQUIRED_PARAMETERS = {"actor"}

TYPE = "type.googleapis.com/google.rpc."
STATUS = {
    "Status": {
        "type": "object",
        "description": "Why a call failed.",
        "required": ["code", "message"],
        "properties": {
            "code": {
                "type": "integer",
                "format": "int32",
                "description": "The number of the gRPC status code.",
            },
            "message": {
                "type": "string",
                "description": "For people. May change.",
            },
            "details": {
                "type": "array",
                "description": "For programs. The gateway's own errors have "
                "none.",
                "items": {"anyOf": [
                    {"$ref": "#/components/schemas/ErrorInfo"},
                    {"$ref": "#/components/schemas/BadRequest"},
                ]},
            },
        },
    },
    "ErrorInfo": {
        "type": "object",
        "description": "The reason, by which a program decides. docs/errors.md "
        "has each reason, and what to do.",
        "required": ["@type", "reason", "domain"],
        "properties": {
            "@type": {"type": "string", "enum": [TYPE + "ErrorInfo"],
                      "description": "The type of this detail."},
            "reason": {"type": "string", "enum": [],
                       "description": "An ErrorReason, without its prefix."},
            "domain": {"type": "string", "enum": ["tokens.wemasy.com"],
                       "description": "Whose reason it is."},
            "metadata": {"type": "object",
                         "additionalProperties": {"type": "string"},
                         "description": "What the reason is about."},
        },
    },
    "BadRequest": {
        "type": "object",
        "description": "The fields at fault.",
        "required": ["@type", "fieldViolations"],
        "properties": {
            "@type": {"type": "string", "enum": [TYPE + "BadRequest"],
                      "description": "The type of this detail."},
            "fieldViolations": {
                "type": "array",
                "description": "Each of them, as far as there is room.",
                "items": {
                    "type": "object",
                    "required": ["field", "description"],
                    "properties": {
                        "field": {"type": "string",
                                  "description": "Its path in the request, by "
                                  "the protos' names."},
                        "description": {"type": "string",
                                        "description": "What was found, and "
                                        "what is wanted."},
                    },
                },
            },
        },
    },
}


def rules_of(descriptors):
    """(HTTP method, path without names) of each annotated method."""
    found = set()
    for file in descriptors.file:
        for service in file.service:
            for method in service.method:
                rule = method.options.Extensions[annotations_pb2.http]
                for each in (rule, *rule.additional_bindings):
                    verb = each.WhichOneof("pattern")
                    if verb:
                        path = re.sub(r"\{\w[\w.]*=([^}]*)\}", r"\1",
                                      getattr(each, verb))
                        found.add((verb, path.replace("*", "{}")))
    return found


def operations_of(document):
    """Method, path and operation of each."""
    for path, item in document["paths"].items():
        for verb, operation in item.items():
            yield verb, path, operation


def check_paths(document, descriptors):
    wanted = rules_of(descriptors)
    there = {(verb, re.sub(r"\{\w+\}", "{}", path))
             for verb, path, _ in operations_of(document)}
    if not wanted or wanted != there:
        sys.exit("the document and the google.api.http annotations differ: "
                 f"{sorted(wanted ^ there)}")


def reasons_of(descriptors):
    prefix = "ERROR_REASON_"
    return [value.name.removeprefix(prefix)
            for file in descriptors.file
            for enum in file.enum_type if enum.name == "ErrorReason"
            for value in enum.value if value.number]


def tidy(node):
    """Comments lose what is left of their slashes; formats get OpenAPI's
    names."""
    if isinstance(node, list):
        for each in node:
            tidy(each)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("description"), str):
        lines = node["description"].splitlines()
        node["description"] = "\n".join(
            [lines[0], *(line.removeprefix(" ") for line in lines[1:])])
    if node.get("format") in ("enum", "field-mask"):
        del node["format"]
    elif node.get("format") == "bytes":
        node["format"] = "byte"
    for each in node.values():
        tidy(each)


def add_bounds(document):
    schemas = document["components"]["schemas"]
    for path, bounds in BOUNDS.items():
        name, *rest = path.split(".")
        node = schemas[name]["properties"][rest[0]]
        for step in rest[1:]:
            node = node[step]
        node.update(bounds)
    for _, _, operation in operations_of(document):
        for parameter in operation.get("parameters", []):
            name = parameter["name"]
            parameter["schema"].update(PARAMETERS.get(name, {}))
            if name in REQUIRED_PARAMETERS:
                parameter["required"] = True
            if name == "project":
                parameter["description"] = "The id of the project."
                if operation["operationId"] in ALL_PROJECTS:
                    parameter["schema"]["pattern"] = f"^(-|{PROJECT})$"
                    parameter["description"] += " `-` stands for all projects."
            elif name == "token" and parameter["in"] == "path":
                parameter["description"] = "The id of the token."


def mend_bodies(document):
    """What the path says is in no body, and an update has what it changes."""
    schemas = document["components"]["schemas"]
    for name in ("RevokeTokenRequest", "RotateTokenRequest"):
        del schemas[name]["properties"]["name"]
        schemas[name]["required"].remove("name")
    schemas["Token"]["properties"]["name"]["readOnly"] = True
    changes = copy.deepcopy(schemas["Token"])
    del changes["required"]
    changes["properties"] = {
        name: schema for name, schema in changes["properties"].items()
        if not schema.get("readOnly")}
    changes["description"] = "What a token's fields shall be."
    schemas["TokenChanges"] = changes
    for _, _, operation in operations_of(document):
        if operation["operationId"] == "TokenService_UpdateToken":
            content = operation["requestBody"]["content"]["application/json"]
            content["schema"]["$ref"] = "#/components/schemas/TokenChanges"


def add_errors(document):
    schemas, tags = document["components"]["schemas"], document["tags"]
    del schemas["GoogleProtobufAny"]
    schemas.update(copy.deepcopy(STATUS))
    common = {tag["name"]: tag["description"] for tag in tags}
    used = set()
    for _, _, operation in operations_of(document):
        text = operation["description"] + common[operation["tags"][0]]
        statuses = ALWAYS | {
            HTTP_STATUS[code] for code in re.findall(r"\b[A-Z][A-Z_]+\b", text)
            if code in HTTP_STATUS}
        is_self = operation["tags"] == [SELF]
        if "requestBody" in operation:
            # To the holder any type will do.
            statuses |= WITH_BODY - ({415} if is_self else set())
        used |= statuses
        responses = operation["responses"]
        del responses["default"]
        for status in sorted(statuses):
            name = RESPONSES[status][0]
            if status == 401 and is_self:
                name = "TokenRefused"
            responses[str(status)] = {"$ref": f"#/components/responses/{name}"}
    if used != set(RESPONSES):
        sys.exit(f"statuses of no use: {sorted(set(RESPONSES) - used)}")
    error = {"application/json": {
        "schema": {"$ref": "#/components/schemas/Status"}}}
    made = {name: {"description": text, "content": copy.deepcopy(error)}
            for name, text in RESPONSES.values()}
    made["TokenRefused"] = {
        "description": "There is no token, or none that is valid. "
        "`UNAUTHENTICATED`.",
        "headers": {"WWW-Authenticate": {
            "description": "The challenge of RFC 6750.",
            "required": True,
            "schema": {"type": "string", "pattern": '^Bearer realm="wemasy"'},
        }},
        "content": copy.deepcopy(error),
    }
    document["components"]["responses"] = dict(sorted(made.items()))


def add_frame(document):
    """What is of the whole document, and of every operation."""
    document["info"] = {"title": "WEMASY API tokens", "version": "v1",
                        "description": DESCRIPTION}
    servers = [{"url": "http://127.0.0.1:8081",
                "description": "deploy/gateways/envoy-rest.yaml as it is. Who "
                "reaches it acts as the gateway."}]
    own = [{"url": "http://127.0.0.1:8080",
            "description": "deploy/gateways/envoy.yaml as it is."}]
    document["components"]["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer",
                  "description": "The token itself."}}
    for _, _, operation in operations_of(document):
        is_self = operation["tags"] == [SELF]
        first = operation["description"].split("\n\n")[0]
        sentence = re.match(r"(.*?)\.(\s|$)", " ".join(first.split()))
        operation["summary"] = sentence[1]
        operation["security"] = [{"token": []}] if is_self else []
        if is_self:
            operation["servers"] = own
    document["servers"] = servers


class Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data):
        return True

    def increase_indent(self, flow=False, indentless=False):
        return super().increase_indent(flow, False)


Dumper.add_representer(str, lambda dumper, text: dumper.represent_scalar(
    "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None))

# The order of what is written; all else follows as it comes.
ORDER = ("openapi", "info", "servers", "tags", "paths", "components",
         "summary", "description", "operationId", "security", "type")


def in_order(node):
    if isinstance(node, list):
        return [in_order(each) for each in node]
    if not isinstance(node, dict):
        return node
    rank = {key: place for place, key in enumerate(ORDER)}
    keys = sorted(node, key=lambda key: rank.get(key, len(ORDER)))
    return {key: in_order(node[key]) for key in keys}


def main():
    document = yaml.safe_load(pathlib.Path(sys.argv[1]).read_text("utf-8"))
    descriptors = descriptor_pb2.FileDescriptorSet.FromString(
        pathlib.Path(sys.argv[2]).read_bytes())
    check_paths(document, descriptors)
    tidy(document)
    add_errors(document)
    info = document["components"]["schemas"]["ErrorInfo"]
    info["properties"]["reason"]["enum"] = reasons_of(descriptors)
    mend_bodies(document)
    add_bounds(document)
    add_frame(document)
    print("# Written by proto/openapi/generate from the protos. Do not edit.")
    yaml.dump(in_order(document), sys.stdout, Dumper, sort_keys=False,
              allow_unicode=True, width=80)


if __name__ == "__main__":
    main()
