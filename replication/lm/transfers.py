"""What went wrong between this machine and the hub, in words."""

TRANSPORTS = ("httpx", "httpx2", "httpcore", "httpcore2")
BROKEN = 500


def trouble(error: BaseException | None) -> str:
    """Return why something could not be fetched from the hub; "" when the error has another cause.

    The libraries wrap such errors in sentences about wrong names and missing folders, so the causes behind an
    error are looked through, the outermost first.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if found := _of(error):
            return found
        error = error.__cause__ or error.__context__
    return ""


def _of(error: BaseException) -> str:
    """Return what one error, without its causes, says about the transfer."""
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if isinstance(status, int) and status >= BROKEN:
        return f"the hub answered with status {status}"
    # The transport library differs between versions of the hub's client, and its errors have no common base.
    if type(error).__module__.partition(".")[0] in TRANSPORTS and not status:
        text = " ".join(str(error).split())[:120] or type(error).__name__
        return f"the connection to the hub broke off ({text})"
    if "Consistency check failed" in str(error):
        return "a file arrived incomplete"
    return ""
