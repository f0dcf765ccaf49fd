"""HTTP routes, one module per noun; each translates between JSON and the rooms and decides nothing itself."""

from server.routes import (
    attention,
    audit,
    chat,
    conversations,
    corrections,
    erasure,
    health,
    knowledge,
    people,
    reports,
    sign_in,
    versions,
)

ROUTERS = tuple(
    module.router
    for module in (
        chat,
        conversations,
        attention,
        corrections,
        reports,
        versions,
        knowledge,
        erasure,
        audit,
        people,
        health,
        sign_in,
    )
)
