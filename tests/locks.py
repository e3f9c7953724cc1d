"""In which order rows are locked, as the statements show it."""

import re

from django.test.utils import CaptureQueriesContext

TABLES = ("dsar_subject", "dsar_case", "dsar_privacyrequest", "dsar_step", "dsar_message")


def locked(queries: CaptureQueriesContext) -> list[str]:
    """The tables in the order in which their rows were locked or first written."""
    found: list[str] = []
    for query in queries.captured_queries:
        sql = query["sql"]
        lock = re.search(r'FROM "(\w+)".* FOR UPDATE(?: OF (.*))?$', sql, re.DOTALL)
        write = re.match(r'(?:UPDATE|INSERT INTO) "(\w+)"', sql)
        if lock:
            # A locking join locks in the order that OF names.
            touched = re.findall(r'"(\w+)"', lock.group(2) or f'"{lock.group(1)}"')
        else:
            touched = [write.group(1)] if write else []
        found += [table for table in touched if table in TABLES and table not in found]
    return found
