"""One command that runs everything on one machine: broker, web, worker and beat, under one supervisor.

`guardian` stands between the supervisor and each process, so that nothing outlives a killed supervisor; `children`
starts and restarts; `broker` knows the embedded broker; `house` is the loop. Nothing here imports Django: what it has
to know is handed in by `manage.py up`.
"""
