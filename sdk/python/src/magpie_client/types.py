"""What the service answers, field by field as its interface file has it (api/openapi.yaml of the repository).

Answers are plain dictionaries: a field that a later service adds is simply there. Times are ISO 8601 texts in UTC;
addresses (`preview_url`, `content_url`) are paths that need no token for one to two hours.
"""

from typing import Dict, List, Literal, Optional, TypedDict, Union


class Match(TypedDict):
    id: int
    image_id: str
    score: float
    relation: Literal["exact", "recoded", "turned", "cropped", "framed", "tilted"]
    preview_url: str


class _Problem(TypedDict):
    type: str
    title: str
    status: int
    detail: str
    request_id: str
    error: str


class Problem(_Problem, total=False):
    match: Match


class _Readiness(TypedDict):
    status: Literal["ready", "not ready"]


class Readiness(_Readiness, total=False):
    error: str


class Dependency(TypedDict):
    name: str
    kind: str
    status: Literal["up", "down"]
    latency_ms: float


class Dependencies(TypedDict):
    status: Literal["healthy", "unhealthy"]
    dependencies: List[Dependency]


class User(TypedDict):
    id: int
    username: str
    email: str
    role: Literal["admin", "operator", "user", "guest"]
    active: bool
    created_at: int


class _Tokens(TypedDict):
    token: str
    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    user: User


class Tokens(_Tokens, total=False):
    refresh_token: str  # absent where a page asked for it as a cookie


class Session(TypedDict):
    id: str
    created_at: int
    used_at: int
    expires_at: int
    user_agent: str
    address: str
    current: bool


class Audit(TypedDict):
    id: int
    at: int
    user_id: int
    target_id: Optional[int]
    action: str
    detail: str
    address: str
    request_id: str


class Presigned(TypedDict):
    upload_url: str
    key: str
    method: Literal["PUT"]
    headers: Dict[str, str]
    expires_in: int
    expires_at: str


class IssueCounts(TypedDict):
    too_dark: int
    too_bright: int
    blurred: int
    blank: int
    low_contrast: int


class Quality(TypedDict):
    sharpness: float
    brightness: float
    contrast: float
    entropy: float


class Payload(TypedDict):
    image_id: str
    user_id: str
    project_id: int
    sha256: str
    phash: str
    width: int
    height: int
    format: Literal["jpeg", "png", "webp", "gif", "tiff", "avif", "heic", "ppm"]
    key: str
    created_at: str
    model_name: str
    model_version: str
    name: str
    title: str
    description: str
    tags: List[str]
    bytes: int
    taken_at: Optional[str]
    state: Literal["present", "missing", "trashed"]
    issues: List[Literal["too_dark", "too_bright", "blurred", "blank", "low_contrast"]]
    quality: Quality


class Image(Payload):
    id: int
    preview_url: str
    content_url: str


class TakenImage(Image):
    """A picture that came in: `added`, or `known` where the same bytes were there."""

    status: Literal["added", "known"]


class UploadedImage(TakenImage, total=False):
    """One file of an upload that was taken; `UploadAnswer` tells it from RefusedImage by `status`."""

    file_name: str


class _RefusedImage(TypedDict):
    status: Literal["refused"]
    code: int
    error: str
    file_name: str


class RefusedImage(_RefusedImage, total=False):
    match: Match


class UploadAnswer(TypedDict):
    status: Literal["ok", "refused"]
    images: List[Union[UploadedImage, RefusedImage]]
    added: int
    known: int
    refused: int


Comparison = TypedDict(
    "Comparison",
    {
        "id": int,
        "with": int,
        "same": float,
        "threshold": float,
        "same_picture": bool,
        "relation": Literal["", "exact", "recoded", "turned", "cropped", "framed", "tilted"],
        "cosine": Optional[float],
        "phash_distance": int,
        "same_bytes": bool,
        "difference_url": str,
    },
)


class _Hit(TypedDict):
    id: int
    score: float
    preview_url: str
    reason: str
    picture: Optional[float]
    words: Optional[float]
    good: bool


class Hit(_Hit, total=False):
    payload: Payload


class _Copy(TypedDict):
    id: int
    score: float
    relation: Literal["exact", "recoded", "turned", "cropped", "framed", "tilted"]
    preview_url: str


class Copy(_Copy, total=False):
    payload: Payload


class CopiesAnswer(TypedDict):
    results: List[Copy]
    took_ms: float


class SearchAnswer(TypedDict):
    results: List[Hit]
    next_cursor: Optional[str]
    convincing: bool
    floor: float
    standard: float
    best: float
    measure: Literal["cosine", "concept", "mixed", "text"]
    note: str
    model: str
    took_ms: float


class ClusterMember(TypedDict):
    image_id: str
    id: int
    keep: bool
    score: float
    reason: str
    preview_url: str
    width: int
    height: int
    bytes: int
    payload: Union[Payload, Dict[str, object]]


class WeakestLink(TypedDict):
    score: float
    a: int
    b: int


class ClusterInfo(TypedDict):
    size: int
    bytes_saved: int
    weakest: WeakestLink


class DedupAnswer(TypedDict):
    status: Literal["done"]
    clusters: List[List[ClusterMember]]
    cluster_info: List[ClusterInfo]
    total: int
    bytes_saved: int
    not_compared: int
    kind: Literal["same", "similar"]
    threshold: float
    next_cursor: Optional[str]
    took_ms: float


class JobDedupAnswer(DedupAnswer):
    job_id: int


class Plan(TypedDict):
    plan_id: int
    status: Literal["draft", "applying", "applied", "undoing", "undone"]
    user_id: int
    at: str
    steps: int
    done: int
    skipped: int


class PlanPicture(TypedDict):
    id: int
    sha256: str
    bytes: int
    width: int
    height: int
    reason: str
    score: float
    preview_url: str


class PlanReport(TypedDict):
    plan_id: int
    status: Literal["applied", "undone"]
    clusters: int
    pictures: int
    skipped: int
    bytes: int


class Anomaly(TypedDict):
    image_id: str
    anomaly_score: float
    payload: Union[Payload, Dict[str, object]]
    preview_url: str
    id: int
    score: float
    p_value: float
    flagged: bool
    heatmap_url: str


class Histogram(TypedDict):
    of: Literal["p_value"]
    counts: List[int]


ScoreCounts = TypedDict("ScoreCounts", {"from": float, "to": float, "counts": List[int]})


class Rate(TypedDict):
    alpha: float
    flagged: int
    score: Optional[float]


class AnomalyAnswer(TypedDict):
    anomalies: List[Anomaly]
    total: int
    flagged: int
    normals: int
    alpha: float
    method: str
    next_cursor: Optional[str]
    histogram: Histogram
    scores: ScoreCounts
    rates: List[Rate]
    took_ms: float


class Feedback(TypedDict):
    id: int
    image_id: str
    user_id: str
    action: str
    note: str
    created_at: str


class Verdict(TypedDict):
    verdict: Literal["same", "different", "normal", "anomaly", "note"]
    image_id: int
    other_id: int
    note: str
    at: str


class DayCount(TypedDict):
    day: str
    count: int


class _Stats(TypedDict):
    images: int
    missing: int
    trashed: int
    issues: IssueCounts
    model: str
    model_version: str
    index: str


class Stats(_Stats, total=False):
    vectors: int
    bytes_pictures: int
    bytes_library: int
    bytes_thumbnails: int
    verdicts: int
    added: List[DayCount]


class Message(TypedDict):
    message: str


class ApiKey(TypedDict):
    id: int
    name: str
    scopes: List[str]
    created_at: int
    expires_at: Optional[int]
    last_used_at: Optional[int]


class NewApiKey(TypedDict):
    id: int
    name: str
    scopes: List[str]
    created_at: int
    expires_at: Optional[int]
    last_used_at: Optional[int]
    key: str


class ApiKeys(TypedDict):
    keys: List[ApiKey]


class Invite(TypedDict):
    id: int
    role: Literal["admin", "operator", "user", "guest"]
    email: str
    created_by: int
    created_at: int
    expires_at: int
    used_at: Optional[int]
    used_by: Optional[int]


class NewInvite(TypedDict):
    id: int
    role: Literal["admin", "operator", "user", "guest"]
    email: str
    created_by: int
    created_at: int
    expires_at: int
    used_at: Optional[int]
    used_by: Optional[int]
    token: str


class Invites(TypedDict):
    invites: List[Invite]


class Project(TypedDict):
    id: int
    owner_id: Optional[int]
    name: str
    description: str
    config: Dict[str, object]
    status: Literal["active", "archived"]
    is_default: bool
    role: Literal["owner", "editor", "viewer", ""]
    assets: int
    created_at: Optional[str]
    updated_at: Optional[str]


class Member(TypedDict):
    user_id: int
    username: str
    role: Literal["viewer", "editor"]


class _Asset(TypedDict):
    id: int
    project_id: int
    user_id: int
    type: str
    state: Literal["present", "missing", "trashed"]
    name: str
    title: str
    description: str
    metadata: Dict[str, object]
    version: int
    sha256: str
    bytes: int
    format: str
    width: int
    height: int
    created_at: Optional[str]
    updated_at: Optional[str]
    content_url: str


class Asset(_Asset, total=False):
    preview_url: str


class AssetChange(Asset):
    status: Literal["added", "unchanged"]


class _UploadedAsset(TypedDict):
    status: Literal["added", "known", "refused"]
    file_name: str


class UploadedAsset(_UploadedAsset, total=False):
    code: int
    error: str


class AssetUpload(TypedDict):
    status: Literal["ok", "refused"]
    assets: List[UploadedAsset]
    added: int
    known: int
    refused: int


class Version(TypedDict):
    number: int
    current: bool
    sha256: str
    bytes: int
    format: str
    width: int
    height: int
    user_id: int
    created_at: Optional[str]
    name: str
    metadata: Dict[str, object]
    content_url: str


class Health(TypedDict):
    status: Literal["healthy"]
    timestamp: int
    version: str


class Liveness(TypedDict):
    status: Literal["alive"]


class Me(TypedDict):
    user: User


class Sessions(TypedDict):
    sessions: List[Session]


class AuditPage(TypedDict):
    audit: List[Audit]
    next_before: Optional[int]


class StoredUpload(TypedDict):
    status: Literal["stored"]
    bytes: int


class ImagePage(TypedDict):
    images: List[Image]
    total: int
    next_cursor: Optional[str]


class PlanPage(TypedDict):
    plans: List[Plan]
    next_cursor: Optional[str]


class NewPlan(TypedDict):
    plan_id: int
    status: Literal["draft"]
    clusters: int
    pictures: int
    bytes_saved: int


class QualityPage(TypedDict):
    images: List[Image]
    counts: IssueCounts
    next_cursor: Optional[str]


class FeedbackList(TypedDict):
    feedback: List[Feedback]


class NewFeedback(TypedDict):
    status: Literal["noted"]
    id: int


class VerdictList(TypedDict):
    verdicts: List[Verdict]


class NewVerdict(TypedDict):
    verdict: Literal["same", "different", "normal", "anomaly", "note"]
    image_id: int
    other_id: int


class MapPoint(TypedDict):
    id: int
    position: List[float]


class Map(TypedDict):
    points: List[MapPoint]
    dims: Literal[2, 3]
    total: int
    method: Literal["umap", "pca"]
    model: str


class ProjectPage(TypedDict):
    projects: List[Project]
    next_cursor: Optional[str]


class Members(TypedDict):
    members: List[Member]


class AssetPage(TypedDict):
    assets: List[Asset]
    next_cursor: Optional[str]


Change = TypedDict(
    "Change",
    {
        "field": str,
        "from": object,
        "to": object,
    },
)


Diff = TypedDict(
    "Diff",
    {
        "asset_id": int,
        "from": int,
        "to": int,
        "changes": List[Change],
    },
)


class VersionPage(TypedDict):
    versions: List[Version]
    next_cursor: Optional[str]


class ChangedImage(Image):
    status: Literal["thumbnails made", "reindexed"]


class PlanCluster(TypedDict):
    keep: PlanPicture
    remove: List[PlanPicture]


class PlanDetail(Plan):
    clusters: List[PlanCluster]


class ClusterChoice(TypedDict):
    """What a plan is made of: the picture to keep, and those to remove."""

    keep: int
    remove: List[int]


class Progress(TypedDict):
    done: int
    total: int


class _Job(TypedDict):
    id: int
    type: str
    status: Literal["queued", "processing", "completed", "failed", "cancelled", "dead"]
    project_id: int
    user_id: int
    priority: int
    attempts: int
    max_attempts: int
    cancel_requested: bool
    error: str
    params: Dict[str, object]
    result: Optional[Dict[str, object]]
    progress: Progress
    created_at: Optional[str]
    run_at: Optional[str]
    started_at: Optional[str]
    finished_at: Optional[str]


class Job(_Job, total=False):
    download_url: str
    clusters_url: str


class JobAnswer(Job):
    job_id: int


class JobPage(TypedDict):
    jobs: List[Job]
    next_cursor: Optional[str]


class JobLine(TypedDict):
    id: int
    at: str
    level: str
    text: str


class JobLog(TypedDict):
    logs: List[JobLine]
    status: str


class JobStatus(TypedDict):
    status: Literal["queued", "processing", "completed", "failed", "cancelled", "dead"]
    done: int
    total: int


class Event(TypedDict):
    id: int
    type: str
    at: str
    project_id: int
    user_id: int
    subject: str
    data: Dict[str, object]


class EventPage(TypedDict):
    events: List[Event]
    last_id: int


class Product(TypedDict):
    id: int
    project_id: int
    external_id: str
    title: str
    description: str
    category: str
    price: Optional[str]
    currency: str
    image_url: str
    metadata: Dict[str, object]
    image_id: Optional[str]
    preview_url: Optional[str]
    index_state: Literal["none", "queued", "indexed", "failed"]
    index_error: str
    created_at: Optional[str]
    updated_at: Optional[str]


class ProductChange(Product, total=False):
    job_id: int


class FacetValue(TypedDict):
    value: str
    count: int


PriceBucket = TypedDict("PriceBucket", {"from": str, "to": str, "count": int})


class PriceFacet(TypedDict):
    min: Optional[str]
    max: Optional[str]
    buckets: List[PriceBucket]


class Facets(TypedDict):
    categories: List[FacetValue]
    currencies: List[FacetValue]
    price: PriceFacet


class _ProductPage(TypedDict):
    products: List[Product]
    total: int
    next_cursor: Optional[str]


class ProductPage(_ProductPage, total=False):
    facets: Facets


class ProductHit(Product):
    score: float
    picture_score: Optional[float]
    text_score: Optional[float]


class ProductAnswer(TypedDict):
    results: List[ProductHit]
    total: int
    next_cursor: Optional[str]
    facets: Facets
    query_type: Literal["text", "image", "similar", "mixed"]
    execution_time_ms: float


class ImportProblem(TypedDict):
    line: int
    error: str


class ImportReport(TypedDict):
    status: Literal["done"]
    created: int
    updated: int
    unchanged: int
    refused: int
    errors: List[ImportProblem]
    job_id: Optional[int]


__all__ = [
    "Anomaly",
    "AnomalyAnswer",
    "ApiKey",
    "ApiKeys",
    "Asset",
    "AssetChange",
    "AssetPage",
    "AssetUpload",
    "Audit",
    "AuditPage",
    "Change",
    "ChangedImage",
    "ClusterChoice",
    "ClusterInfo",
    "ClusterMember",
    "Comparison",
    "CopiesAnswer",
    "Copy",
    "DedupAnswer",
    "Dependencies",
    "Dependency",
    "Diff",
    "Event",
    "EventPage",
    "FacetValue",
    "Facets",
    "Feedback",
    "FeedbackList",
    "Health",
    "Histogram",
    "Hit",
    "Image",
    "ImagePage",
    "ImportProblem",
    "ImportReport",
    "Invite",
    "Invites",
    "IssueCounts",
    "Job",
    "JobAnswer",
    "JobLine",
    "JobLog",
    "JobPage",
    "JobStatus",
    "Liveness",
    "Map",
    "Match",
    "MapPoint",
    "Me",
    "Member",
    "Members",
    "Message",
    "NewApiKey",
    "NewFeedback",
    "NewInvite",
    "NewPlan",
    "NewVerdict",
    "Payload",
    "Plan",
    "PlanCluster",
    "PlanDetail",
    "PlanPage",
    "PlanPicture",
    "PlanReport",
    "Presigned",
    "PriceBucket",
    "PriceFacet",
    "Problem",
    "Product",
    "ProductAnswer",
    "ProductChange",
    "ProductHit",
    "ProductPage",
    "Progress",
    "Project",
    "ProjectPage",
    "Quality",
    "QualityPage",
    "Readiness",
    "RefusedImage",
    "SearchAnswer",
    "Session",
    "Sessions",
    "Stats",
    "StoredUpload",
    "TakenImage",
    "Tokens",
    "UploadAnswer",
    "UploadedAsset",
    "UploadedImage",
    "User",
    "Verdict",
    "VerdictList",
    "Version",
    "VersionPage",
    "WeakestLink",
]
