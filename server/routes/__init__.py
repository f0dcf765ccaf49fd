"""HTTP routes, one module per noun; each translates between JSON and the rooms and decides nothing itself."""

from server.routes import audit, chat, conversations, corrections, erasure, health, knowledge, people, reports, versions

ROUTERS = tuple(
    module.router
    for module in (chat, conversations, corrections, reports, versions, knowledge, erasure, audit, people, health)
)
