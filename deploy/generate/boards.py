"""What the dashboards show: panels by board and row, each a question, its unit and its queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Query = tuple[str, str]
"""What is asked of Prometheus, and the legend of what comes back."""


@dataclass(frozen=True)
class Panel:
    """A graph, or a figure each. ``about`` is what Grafana shows beside the title."""

    title: str
    about: str
    unit: str
    queries: tuple[Query, ...]
    kind: Literal["graph", "areas", "figure", "name"] = "graph"
    orange: float | None = None
    red: float | None = None
    width: int = 8
    right: dict[str, str] = field(default_factory=dict)
    """Legends on an axis of their own, and its unit."""


@dataclass(frozen=True)
class Board:
    """A dashboard, with its rows. Where ``by_feed``, a variable chooses feeds; else the namespace."""

    uid: str
    title: str
    about: str
    rows: tuple[tuple[str, tuple[Panel, ...]], ...]
    by_feed: bool = True


F = 'feed=~"$feed"'
F_OR_NONE = 'feed=~"$feed|"'
RATE = "[$__rate_interval]"
A_DAY, TWO_HOURS, AN_HOUR = 86_400, 7_200, 3_600


def _quantile(share: float, metric: str, by: str, labels: str = F) -> str:
    return f"histogram_quantile({share}, sum by ({by}) (rate({metric}_bucket{{{labels}}}{RATE})))"


def _newest(metric: str, by: str, labels: str = F) -> str:
    """A figure of the store, which every fetcher gives."""
    return f"max by ({by}) ({metric}{{{labels}}})"


def _rate(metric: str, by: str, labels: str = F) -> str:
    return f"sum by ({by}) (rate({metric}{{{labels}}}{RATE}))"


def _in_an_hour(metric: str, by: str, labels: str = F) -> str:
    return f"sum by ({by}) (increase({metric}{{{labels}}}[1h]))"


def _in_time(seconds: str) -> str:
    return (
        f'sum by (feed) (increase(mlsync_freshness_seconds_bucket{{{F}, le="{seconds}"}}[1d])) / '
        f"sum by (feed) (increase(mlsync_freshness_seconds_count{{{F}}}[1d]))"
    )


LAST_SYNC = Panel(
    "Last sync", "How the last sync of each feed ended: in step, or what is the matter.", "short",
    ((f"{_newest('mlsync_run_last_outcome', 'feed, outcome')} == 1", "{{feed}}: {{outcome}}"),), "name", width=4,
)  # fmt: skip
IN_STEP = Panel(
    "Since last in step", "How long ago a sync of each feed last ended with nothing left to do.", "s",
    ((f"time() - {_newest('mlsync_run_in_step_timestamp_seconds', 'feed')}", "{{feed}}"),), "figure",
    TWO_HOURS, A_DAY, 4,
)  # fmt: skip
INVENTORY_AGE = Panel(
    "Inventory age",
    "How long ago the newest proven inventory that was handled whole was begun: the rows are complete as of then.", "s",
    ((f"time() - {_newest('mlsync_inventory_whole_timestamp_seconds', 'feed, resource')}", "{{feed}} {{resource}}"),),
    "figure", TWO_HOURS, A_DAY, 4,
)  # fmt: skip
HELD = Panel(
    "Removals held", "Removals that were too many at once to be believed; see `mlsync removals list`.", "short",
    ((f"sum by (feed) ({_newest('mlsync_removals_held', 'feed, resource')})", "{{feed}}"),), "figure", 1, width=4,
)  # fmt: skip
QUARANTINED = Panel(
    "Quarantined", "What could not be handled and was set aside, by kind; see `mlsync quarantine list`.", "short",
    ((f"{_newest('mlsync_quarantined', 'feed, kind', F_OR_NONE)} > 0", "{{feed}} {{kind}}"),), "figure", 1,
    width=4,
)  # fmt: skip
UNAVAILABLE = Panel(
    "Unavailable",
    "Records that the MLS lists and does not deliver, or that cannot be stored; tried again at growing intervals.",
    "short", ((f"sum by (feed) ({_newest('mlsync_records_unavailable', 'feed, resource')})", "{{feed}}"),), "figure", 1,
    width=4,
)  # fmt: skip
FRESHNESS = Panel(
    "Freshness",
    "From a record's own timestamp at the MLS until its row could be read here, of what is new or changed.",
    "s",
    ((_quantile(0.5, "mlsync_freshness_seconds", "feed, le"), "{{feed}} median"),
     (_quantile(0.95, "mlsync_freshness_seconds", "feed, le"), "{{feed}} 95 %")),
)  # fmt: skip
IN_TIME = Panel(
    "Changes readable in time",
    "Share of the last day's changes whose row could be read within 15 and within 60 minutes of the record's own "
    "timestamp.", "percentunit", ((_in_time("900.0"), "{{feed}} 15 min"), (_in_time("3600.0"), "{{feed}} 60 min")),
)  # fmt: skip
STORED = Panel(
    "Stored against the MLS", "Rows stored, and records that the newest whole inventory listed.", "short",
    ((_newest("mlsync_records_stored", "feed, resource"), "{{feed}} {{resource}} stored"),
     (_newest("mlsync_inventory_whole_records", "feed, resource"), "{{feed}} {{resource}} at the MLS")),
)  # fmt: skip
OUTCOMES = Panel(
    "Records by outcome", "What became of the records that were read.", "ops",
    ((_rate("mlsync_records_total", "outcome"), "{{outcome}}"),), "areas",
)  # fmt: skip
WANTED = Panel(
    "Wanted", "Records that an inventory wants and that are not stored as they are listed.", "short",
    ((_newest("mlsync_records_wanted", "feed, resource"), "{{feed}} {{resource}}"),),
)  # fmt: skip
SYNCS = Panel(
    "Inventories and syncs", "Inventories taken, by outcome, and syncs that ended, by outcome, in an hour.", "short",
    ((_in_an_hour("mlsync_inventories_total", "outcome"), "inventory {{outcome}}"),
     (_in_an_hour("mlsync_run_seconds_count", "outcome"), "sync {{outcome}}")),
)  # fmt: skip
PHOTOS = Panel(
    "Photos", "Photos stored in the version the MLS has, to be fetched, and of which the last attempt failed.", "short",
    ((_newest("mlsync_photos_stored", "feed"), "{{feed}} stored"),
     (_newest("mlsync_photos_pending", "feed"), "{{feed}} pending"),
     (_newest("mlsync_photos_failed", "feed"), "{{feed}} failed")), width=6,
)  # fmt: skip
PHOTO_OUTCOMES = Panel(
    "Photos by outcome", "What became of the photos that were handled.", "ops",
    ((_rate("mlsync_photos_total", "outcome"), "{{outcome}}"),), "areas", width=6,
)  # fmt: skip
FAILURES = Panel(
    "Failed attempts by reason", "Attempts at a photo that failed, those tried again at once included.", "ops",
    ((_rate("mlsync_photo_failures_total", "reason"), "{{reason}}"),), "areas", width=6,
)  # fmt: skip
DOWNLOADS = Panel(
    "Download time and bytes", "Time for one photo by its address, and bytes put into the photo store.", "s",
    ((_quantile(0.95, "mlsync_photo_download_seconds", "le"), "95 % of downloads"),
     (f"sum(rate(mlsync_photo_bytes_total{{{F}}}{RATE}))", "stored")), width=6, right={"stored": "Bps"},
)  # fmt: skip
REQUESTS = Panel(
    "Requests by reply code", "Requests under the MLS's login, by transaction and reply code.", "reqps",
    ((_rate("mlsync_rets_requests_total", "transaction, code"), "{{transaction}} {{code}}"),), "areas", width=6,
)  # fmt: skip
REQUEST_TIME = Panel(
    "Request time", "95 % of the answers were read whole in this time.", "s",
    ((_quantile(0.95, "mlsync_rets_request_seconds", "transaction, le"), "{{transaction}}"),), width=6,
)  # fmt: skip
SESSIONS = Panel(
    "Sessions", "Sessions open at the MLS, of all processes together.", "short",
    ((f"sum by (feed) (mlsync_sessions_open{{{F}}})", "{{feed}} sessions"),), width=6,
)  # fmt: skip
LOGINS = Panel(
    "Logins", "Logins at the MLS in an hour, by whether they were accepted.", "short",
    ((_in_an_hour("mlsync_logins_total", "feed, outcome"), "{{feed}} {{outcome}}"),), width=6,
)  # fmt: skip
BUDGET = Panel(
    "Budget left", "What is left of each limit of what the MLS may be asked, as a share of it.", "percentunit",
    ((f"{_newest('mlsync_budget_remaining', 'feed, window')} / {_newest('mlsync_budget_limit', 'feed, window')}",
      "{{feed}} {{window}}"),), width=6,
)  # fmt: skip
PAUSED = Panel(
    "Paused", "Whether nothing is asked of the MLS now: it said so, the budget is used up, or these are quiet hours.",
    "short", ((f"{_newest('mlsync_paused_until_timestamp_seconds', 'feed')} > bool time()", "{{feed}}"),), width=6,
)  # fmt: skip
MESSAGES = Panel(
    "Messages by outcome", "How the services ended the messages they took.", "ops",
    (("sum by (queue, outcome) (rate(mlsync_messages_total[$__rate_interval]))", "{{queue}} {{outcome}}"),), "areas",
    width=6,
)  # fmt: skip
IN_HAND = Panel(
    "Time in hand", "From the receipt of a message until it was settled, 95 %.", "s",
    ((_quantile(0.95, "mlsync_message_seconds", "queue, le", ""), "{{queue}}"),), width=6,
)  # fmt: skip
WAITING = Panel(
    "Waiting at the broker", "Messages in each queue, ready or in hand, as RabbitMQ counts them.", "short",
    (("sum by (queue) (rabbitmq_detailed_queue_messages)", "{{queue}}"),), width=6,
)  # fmt: skip
CONSUMERS = Panel(
    "Consumers",
    "Threads of all processes that take messages of each queue. None is right where nothing is to be done.",
    "short", (("sum by (queue) (rabbitmq_detailed_queue_consumers)", "{{queue}}"),), width=6,
)  # fmt: skip
UNACKED = Panel(
    "In hand", "Messages that a process has taken and not settled yet.", "short",
    (("sum by (queue) (rabbitmq_detailed_queue_messages_unacked)", "{{queue}}"),), width=6,
)  # fmt: skip
DEAD = Panel(
    "Given back and dead",
    "Messages in hand before that were received again, and messages no service could handle, in an hour.", "short",
    (("sum by (queue) (increase(mlsync_messages_redelivered_total[1h]))", "{{queue}} again"),
     ("sum by (queue) (increase(mlsync_dead_letters_total[1h]))", "{{queue}} dead")), width=6,
)  # fmt: skip
RUNNING = Panel(
    "Running", "Processes of each service that answer.", "short",
    (("count by (service, version) (mlsync_build_info)", "{{service}} {{version}}"),), width=6,
)  # fmt: skip
MEMORY = Panel(
    "Memory", "Resident memory of each process.", "bytes",
    (("process_resident_memory_bytes and on (job, instance) mlsync_build_info", "{{service}} {{instance}}"),), width=6,
)  # fmt: skip
CPU = Panel(
    "CPU", "Cores each process uses.", "short",
    (("rate(process_cpu_seconds_total[$__rate_interval]) and on (job, instance) mlsync_build_info",
      "{{service}} {{instance}}"),), width=6,
)  # fmt: skip
CONNECTIONS = Panel(
    "Connections", "Whether the state of the store can be read, and how many processes are connected to the broker.",
    "short", (("min(mlsync_state_up)", "store"), ("sum(mlsync_broker_connected)", "broker")), width=6,
)  # fmt: skip

OVERVIEW = Board(
    "mlsync-overview", "mlsync: overview", "Is every feed in step, how fresh, and what is in the way.",
    (
        ("In step", (LAST_SYNC, IN_STEP, INVENTORY_AGE, HELD, QUARANTINED, UNAVAILABLE, FRESHNESS, IN_TIME, STORED)),
        ("Records", (OUTCOMES, WANTED, SYNCS)),
        ("Photos", (PHOTOS, PHOTO_OUTCOMES, FAILURES, DOWNLOADS)),
        ("The MLS", (REQUESTS, REQUEST_TIME, LOGINS, BUDGET)),
        ("Queues", (MESSAGES, IN_HAND, WAITING, DEAD)),
        ("Processes", (RUNNING, MEMORY, CPU, CONNECTIONS)),
    ),
)  # fmt: skip
FRESH = Board(
    "mlsync-freshness", "mlsync: freshness",
    "How soon what the MLS changes can be read here, and the promise about it.",
    (("Changes", (
        FRESHNESS, IN_TIME,
        Panel(
            "Late, of what is promised",
            "Share of the last hour's changes that were late, over the share that may be (5 % after 15 minutes, 1 % "
            "after 60): above 1 the promise is being used up, above 14.4 an alert fires.", "short",
            ((f'mlsync:changes_late:ratio1h{{{F}, within="15m"}} / 0.05', "{{feed}} 15 min"),
             (f'mlsync:changes_late:ratio1h{{{F}, within="60m"}} / 0.01', "{{feed}} 60 min")),
        ),
        Panel(
            "How fresh, by age", "Changes that could be read within each time of the record's own timestamp, a second.",
            "ops", ((_rate("mlsync_freshness_seconds_bucket", "le"), "within {{le}} s"),), width=12,
        ),
        Panel(
            "Time of a sync", "From the beginning of a sync until nothing was left to do or wait for, 95 %.", "s",
            ((_quantile(0.95, "mlsync_run_seconds", "feed, outcome, le"), "{{feed}} {{outcome}}"),), width=12,
        ),
    )),),
)  # fmt: skip
FLOW = Board(
    "mlsync-flow", "mlsync: flow", "What moves from the MLS to the rows, how fast, and where it waits.",
    (("From the MLS to the rows", (
        Panel(
            "Delivered", "Records that the MLS delivered, whatever became of them.", "ops",
            ((_rate("mlsync_records_fetched_total", "feed, resource"), "{{feed}} {{resource}}"),), "areas",
        ),
        OUTCOMES, WANTED, MESSAGES, IN_HAND, WAITING, UNACKED,
    )),),
)  # fmt: skip
RECONCILE = Board(
    "mlsync-reconcile", "mlsync: reconcile and removals", "Inventories, what they want, and what they let go.",
    (("Inventories", (
        SYNCS, INVENTORY_AGE, HELD, UNAVAILABLE, STORED, WANTED,
        Panel(
            "Absences weighed",
            "Times keys that an inventory lacks were weighed together, in an hour: let go, or held.",
            "short", ((_in_an_hour("mlsync_removals_weighed_total", "feed, verdict"), "{{feed}} {{verdict}}"),),
        ),
        Panel(
            "Removed", "Records removed because an inventory lacks them, in an hour.", "short",
            ((_in_an_hour("mlsync_records_total", "feed, resource", f'{F}, outcome="removed"'),
              "{{feed}} {{resource}}"),),
        ),
    )),),
)  # fmt: skip
PHOTO = Board(
    "mlsync-photos", "mlsync: photos", "Which photos are here, which are missing and why, and how fast they come.",
    (("Photos", (
        Panel(
            "Incomplete listings", "Share of the records of which some photo is not here as the MLS has it. More than "
            "1 % throughout an hour is an alert.", "percentunit",
            ((f"{_newest('mlsync_photo_sets_incomplete', 'feed')} / {_newest('mlsync_photo_sets', 'feed')}",
              "{{feed}}"),), width=6,
        ),
        PHOTOS, PHOTO_OUTCOMES, FAILURES, DOWNLOADS,
        Panel(
            "Listings in hand", "Listings whose photos wait or are being fetched, and processes that fetch them.",
            "short",
            (('sum(rabbitmq_detailed_queue_messages{queue=~"media([.]backlog)?"})', "listings"),
             ('count(mlsync_build_info{service="media"})', "processes")), width=6, right={"processes": "short"},
        ),
    )),),
)  # fmt: skip
UPSTREAM = Board(
    "mlsync-upstream", "mlsync: the MLS", "What is asked of each MLS, what it answers, and what may still be asked.",
    (("The MLS", (REQUESTS, REQUEST_TIME, SESSIONS, LOGINS, BUDGET, PAUSED)),),
)  # fmt: skip
QUEUES = Board(
    "mlsync-queues", "mlsync: queues", "What waits at the broker, who takes it, and how it ends.",
    (("Queues", (WAITING, CONSUMERS, MESSAGES, IN_HAND, DEAD, UNACKED)),),
)  # fmt: skip
QUALITY = Board(
    "mlsync-quality", "mlsync: data quality",
    "What does not fit: set aside, unknown to the mapping, or changed at the MLS.",
    (("Data quality", (
        QUARANTINED,
        Panel(
            "Elements kept in extra",
            "Different elements ever kept verbatim: unknown to the mapping, or unfit for their "
            "column. `mlsync status` names them.", "short",
            ((_newest("mlsync_extra_elements", "feed, resource, kind"), "{{feed}} {{resource}} {{kind}}"),),
        ),
        Panel(
            "Unknown and unfit", "Elements without a mapping and values that fit no column, a second.", "ops",
            ((_rate("mlsync_elements_unknown_total", "feed"), "{{feed}} unknown"),
             (_rate("mlsync_values_unfit_total", "feed, reason"), "{{feed}} {{reason}}")),
        ),
        Panel(
            "Age of the metadata",
            "How long ago the metadata stored were read, and how often others were since in vain.",
            "s",
            ((f"time() - {_newest('mlsync_metadata_read_timestamp_seconds', 'feed')}", "{{feed}} age"),
             (_newest("mlsync_metadata_failed_attempts", "feed"), "in vain")), right={"in vain": "short"},
        ),
        Panel(
            "Metadata changed",
            "In metadata read within the last day: values of lookups that are new, changed or gone; of generic feeds "
            "all that differs, by what it is. `mlsync metadata diff` tells it.",
            "short", ((f"sum by (feed, change) (increase(mlsync_metadata_lookup_values_total{{{F}}}[1d])) or "
                       f"sum by (feed, kind, change) (increase(mlsync_metadata_differences_total{{{F}}}[1d]))",
                       "{{feed}} {{kind}} {{change}}"),),
        ),
        UNAVAILABLE,
    )),),
)  # fmt: skip
RESOURCES = Board(
    "mlsync-resources", "mlsync: processes and broker", "What the processes and RabbitMQ use of their machines.",
    (
        ("Processes", (
            RUNNING, MEMORY, CONNECTIONS, CPU,
            Panel(
                "Open files", "Files and sockets each process holds open.", "short",
                (("process_open_fds and on (job, instance) mlsync_build_info", "{{service}} {{instance}}"),), width=6,
            ),
            Panel(
                "Garbage collections", "Collections of Python's oldest generation, a second.", "ops",
                (('rate(python_gc_collections_total{generation="2"}[$__rate_interval]) and on (job, instance) '
                  "mlsync_build_info", "{{service}} {{instance}}"),), width=6,
            ),
        )),
        ("RabbitMQ", (
            Panel(
                "Broker's memory", "Memory of the broker, and where it stops taking messages.", "bytes",
                (("sum by (instance) (rabbitmq_process_resident_memory_bytes)", "{{instance}} used"),
                 ("sum by (instance) (rabbitmq_resident_memory_limit_bytes)", "{{instance}} limit")), width=6,
            ),
            Panel(
                "Broker's disk", "Disk space left to the broker, and where it stops taking messages.", "bytes",
                (("min by (instance) (rabbitmq_disk_space_available_bytes)", "{{instance}} left"),
                 ("max by (instance) (rabbitmq_disk_space_available_limit_bytes)", "{{instance}} limit")), width=6,
            ),
            Panel(
                "Connections to the broker", "Connections and channels, of whomever.", "short",
                (("sum(rabbitmq_connections)", "connections"), ("sum(rabbitmq_channels)", "channels")), width=6,
            ),
            Panel(
                "Published and acknowledged", "Messages through the broker, a second.", "ops",
                (("sum(rate(rabbitmq_global_messages_received_total[$__rate_interval]))", "published"),
                 ("sum(rate(rabbitmq_global_messages_acknowledged_total[$__rate_interval]))", "acknowledged")), width=6,
            ),
        )),
    ),
)  # fmt: skip

_PODS = 'namespace=~"$namespace", pod=~".*mlsync.*"'
CLUSTER = Board(
    "mlsync-cluster", "mlsync: on Kubernetes",
    "Pods, replicas and autoscalers as the cluster sees them (kube-state-metrics, kubelet); on Kubernetes only.",
    (("Pods", (
        Panel(
            "Replicas", "Pods that each Deployment has, and wants.", "short",
            (('sum by (deployment) (kube_deployment_status_replicas_ready{namespace=~"$namespace", '
              'deployment=~".*mlsync.*"})', "{{deployment}} ready"),
             ('sum by (deployment) (kube_deployment_spec_replicas{namespace=~"$namespace", deployment=~".*mlsync.*"})',
              "{{deployment}} wanted")),
        ),
        Panel(
            "Autoscaling", "Pods that each autoscaler wants, and the most it may have.", "short",
            (('sum by (horizontalpodautoscaler) (kube_horizontalpodautoscaler_status_desired_replicas{'
              'namespace=~"$namespace", horizontalpodautoscaler=~".*mlsync.*"})', "{{horizontalpodautoscaler}} wanted"),
             ('sum by (horizontalpodautoscaler) (kube_horizontalpodautoscaler_spec_max_replicas{'
              'namespace=~"$namespace", horizontalpodautoscaler=~".*mlsync.*"})', "{{horizontalpodautoscaler}} most")),
        ),
        Panel(
            "Restarts", "Containers that were started again, in an hour.", "short",
            ((f"sum by (pod) (increase(kube_pod_container_status_restarts_total{{{_PODS}}}[1h]))", "{{pod}}"),),
        ),
        Panel(
            "Memory of pods", "What each pod uses, and its limit, above which it is killed.", "bytes",
            ((f'sum by (pod) (container_memory_working_set_bytes{{{_PODS}, container!=""}})', "{{pod}}"),
             (f'sum by (pod) (kube_pod_container_resource_limits{{{_PODS}, resource="memory"}})', "{{pod}} limit")),
        ),
        Panel(
            "CPU of pods", "Cores each pod uses.", "short",
            ((f'sum by (pod) (rate(container_cpu_usage_seconds_total{{{_PODS}, container!=""}}{RATE}))', "{{pod}}"),),
        ),
        Panel(
            "Drains allowed", "Pods that a drain may take now, by disruption budget.", "short",
            (('min by (poddisruptionbudget) (kube_poddisruptionbudget_status_pod_disruptions_allowed{'
              'namespace=~"$namespace", poddisruptionbudget=~".*mlsync.*"})', "{{poddisruptionbudget}}"),),
        ),
    )),),
    by_feed=False,
)  # fmt: skip

BOARDS = (OVERVIEW, FRESH, FLOW, RECONCILE, PHOTO, UPSTREAM, QUEUES, QUALITY, RESOURCES, CLUSTER)
