"""What the client may count on (`serverInfo.features`, protocol 15).

A feature that is off is not even tried by the client, so what this server does not offer is off.
"""

from __future__ import annotations

from byname.domain.event import EventType

EVENTS_NOT_READ = (EventType.REMOVE_ARTIFACT_ALIAS, EventType.MOVE_ARTIFACT_ALIAS)
"""Events that the client cannot read: it would refuse the whole list that holds one."""

FEATURES: dict[str, bool] = {
    # Registries.
    "ARTIFACT_REGISTRY_SEARCH": True,
    "INCLUDE_ARTIFACT_TYPES_IN_REGISTRY_CREATION": True,
    "ARTIFACT_COLLECTIONS_FILTERING_SORTING": True,
    # Links and versions.
    "ARTIFACT_MEMBERSHIP_IN_LINK_ARTIFACT_RESPONSE": True,
    "PROJECT_ARTIFACT_COLLECTION_MEMBERSHIP": True,
    "ARTIFACT_COLLECTION_MEMBERSHIP_FILES": True,
    "ARTIFACT_COLLECTION_MEMBERSHIP_FILE_DOWNLOAD_HANDLER": True,
    "ARTIFACT_V2_DOWNLOAD_HANDLER_SUPPORTS_ARTIFACT_ID": True,
    "TOTAL_COUNT_IN_FILE_CONNECTION": True,
    "USE_ARTIFACT_WITH_ENTITY_AND_PROJECT_INFORMATION": True,
    "ARTIFACT_DIGEST_ALGORITHM": True,
    "ARTIFACT_TAGS": True,
    "CLIENT_IDS": True,
    "LARGE_FILENAMES": True,
    # Runs.
    "STRUCTURED_CONSOLE_LOGS": True,
    "MARK_RUN_FILES_UPLOADED": True,
    "FILESTREAM_GZIP": False,
    # Automations.
    "QUERY_AUTOMATIONS_ON_ENTITY": True,
    "AUTOMATION_SCOPE_ENTITY": True,
    "AUTOMATION_EVENT_ADD_ARTIFACT_TAG": True,
    "AUTOMATION_EVENT_REMOVE_ARTIFACT_TAG": True,
    "AUTOMATION_EVENT_ADD_COLLECTION_TAG": True,
    "AUTOMATION_EVENT_REMOVE_COLLECTION_TAG": True,
    "AUTOMATION_EVENT_UNLINK_ARTIFACT": True,
    "AUTOMATION_EVENT_RUN_METRIC": True,
    "AUTOMATION_EVENT_RUN_METRIC_CHANGE": True,
    "AUTOMATION_EVENT_RUN_METRIC_ZSCORE": True,
    "AUTOMATION_EVENT_RUN_STATE": True,
    "AUTOMATION_ACTION_NO_OP": True,
    "AUTOMATION_ACTION_PUSH_NOTIFICATION": False,
    "AUTOMATION_ACTION_ARIA": False,
    "AUTOMATIONS_ON_USER": False,
    "AUTOMATIONS_ON_ORGANIZATION": True,
    "AUTOMATION_LAST_EXECUTED_AT": False,
    # Not what a registry is about.
    "SWEEPS_QUERY_FILTERING": False,
    "SWEEPS_LOCAL_SCHEDULER": False,
    "EVAL_TABLES_CES": False,
}

MIN_CLI_VERSION = "0.12.0"
MAX_CLI_VERSION = "99.0.0"
"""No release of the client is refused beforehand for being too new."""
