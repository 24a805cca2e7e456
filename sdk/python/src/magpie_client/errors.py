"""What goes wrong: one class for each kind of refusal, all of them MagpieError."""

from __future__ import annotations

import json
from typing import Dict, Optional, Type

from .types import Job, Match, Problem


class MagpieError(Exception):
    """The service refused. `detail` is for people; `request_id` finds the request in the service's log."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        request_id: str = "",
        retry_after: Optional[float] = None,
        body: bytes = b"",
    ) -> None:
        super().__init__(f"{status} {title}: {detail}" if status else f"{title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.request_id = request_id
        self.retry_after = retry_after  # seconds, where the service said when to come again
        self.body = body


class Unauthorized(MagpieError):
    """401: nobody is signed in, or not any more."""


class Forbidden(MagpieError):
    """403: this account or key may not do it."""


class NotFound(MagpieError):
    """404: it is not there, or it is somebody else's."""


class Conflict(MagpieError):
    """409: it does not go together with what is there."""

    @property
    def match(self) -> Optional[Match]:
        """The picture that shows the same as the one that was refused, where that was the reason."""
        try:
            problem: Problem = json.loads(self.body)
            return problem.get("match")
        except (ValueError, AttributeError):
            return None


class Invalid(MagpieError):
    """400, 413, 415, 422: what was sent cannot be taken."""


class RateLimited(MagpieError):
    """429: too many requests; `retry_after` says how long to wait."""


class Unavailable(MagpieError):
    """503: the service is busy or stops."""


class Unreachable(MagpieError):
    """No answer came: no connection, a connection that broke, a time that ran out. `status` is 0.
    Where `sent` is true, the service may have done what it was asked."""

    def __init__(self, detail: str, sent: bool = True) -> None:
        super().__init__(0, "Unreachable", detail)
        self.sent = sent


class WaitTimeout(TimeoutError):
    """A job has not ended in the time that was given; it goes on."""


class JobFailed(Exception):
    """A job that something depends on ended without success."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"job {job['id']} is {job['status']}: {job['error'] or 'without a reason'}")
        self.job = job


BY_STATUS: Dict[int, Type[MagpieError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: RateLimited,
    503: Unavailable,
}
