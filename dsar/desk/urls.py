"""The desk's addresses. Who may open which stands in config/access.py; POST alone changes anything."""

from django.urls import path

from dsar.desk import (
    audit_page,
    copy_page,
    corrections,
    filing,
    holds,
    incoming,
    letters,
    queue,
    request_page,
    sources,
    tasks,
    verbs,
)

urlpatterns = [
    path("", queue.queue, name="desk_queue"),
    path("requests/<int:pk>/", request_page.request_page, name="desk_request"),
    path("requests/<int:pk>/copy/", copy_page.copy, name="desk_copy"),
    path("requests/<int:pk>/copy/take-out/", copy_page.take_out, name="desk_copy_take_out"),
    path("requests/<int:pk>/copy/put-back/<int:number>/", copy_page.put_back, name="desk_copy_put_back"),
    path("requests/<int:pk>/<slug:verb>/", verbs.act, name="desk_verb"),
    path("letters/<int:pk>/", letters.letter, name="desk_letter"),
    path("letters/<int:pk>/text/", letters.text, name="desk_letter_text"),
    path("letters/<int:pk>/pdf/", letters.pdf, name="desk_letter_pdf"),
    path("evidence/<int:pk>/", corrections.evidence, name="desk_evidence"),
    path("file/", filing.file, name="desk_file"),
    path("scans/<int:pk>/", filing.scan, name="desk_scan"),
    path("scans/<int:pk>/destroy/", filing.destroy, name="desk_scan_destroy"),
    path("incoming/", incoming.listing, name="desk_incoming"),
    path("incoming/<int:pk>/", incoming.item, name="desk_incoming_item"),
    path("incoming/<int:pk>/act/", incoming.act, name="desk_incoming_act"),
    path("holds/", holds.listing, name="desk_holds"),
    path("holds/place/", holds.place, name="desk_hold_place"),
    path("holds/<int:pk>/lift/", holds.lift, name="desk_hold_lift"),
    path("sources/", sources.listing, name="desk_sources"),
    path("sources/kill-switch/", sources.kill_switch, name="desk_kill_switch"),
    path("sources/<str:key>/switch/", sources.switch, name="desk_source_switch"),
    path("tasks/", tasks.listing, name="desk_tasks"),
    path("tasks/<int:pk>/", tasks.act, name="desk_task_act"),
    path("tasks/<int:pk>/file/", tasks.file, name="desk_task_file"),
    path("audit/", audit_page.trail, name="desk_audit"),
]
