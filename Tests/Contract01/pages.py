"""The pages: what they are, and for those that do not change, what they say."""

from wire import JSON, Case

PATHS = ["/livez", "/readyz", "/healthz", "/metrics", "/operators", "/openapi.yaml",
         "/openapi.json"]
# Their bodies have the moment's numbers, the version, or the contract itself.
UNREAD = ["/healthz", "/metrics", "/openapi.yaml", "/openapi.json"]


def cases():
    found = []
    for path in PATHS:
        name = "page" + path
        found.append(Case(name, path, method="GET"))
        found.append(Case(name + "/head", path, method="HEAD"))
        found.append(Case(name + "/query", path + "?a=1", method="GET"))
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]:
            found.append(Case(f"{name}/{method}", path, body="", method=method))
        found.append(Case(name + "/accept", path, [("Accept", "image/png")], method="GET"))
    found.append(Case("page/livez/body", "/livez", [("Content-Type", JSON)], "{}", "GET"))
    found.append(Case("page/livez/bad-query", "/livez?%zz", method="GET"))
    found.append(Case("page/livez/escaped", "/%6civez", method="GET"))
    found.append(Case("page/livez/slash", "/livez/", method="GET"))
    found.append(Case("page/livez/two-slashes", "//livez", method="GET"))
    found.append(Case("page/livez/upper", "/LIVEZ", method="GET"))
    found.append(Case("page/root", "/", method="GET"))
    found.append(Case("page/other-id", "/livez", [("X-Request-Id", "<bad>")], method="GET"))
    return found
