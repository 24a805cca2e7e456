/* routes.c - every path that the service answers. */
#include "http/route.h"

enum { JSON_BODY = 1024 * 1024 };

const mp_route mp_routes[] = {
    {MP_GET, "/health", mp_handle_health, 0, false, false, NULL},
    {MP_GET, "/health/live", mp_handle_live, 0, false, false, NULL},
    {MP_GET, "/health/ready", mp_handle_ready, 0, true, false, NULL},
    {MP_GET, "/health/dependencies", mp_handle_dependencies, 0, true, false, NULL},
    {MP_GET, "/metrics", mp_handle_metrics, 0, false, false, NULL},
    {MP_POST, "/api/auth/setup", mp_handle_setup, JSON_BODY, true, false, NULL},
    {MP_POST, "/api/auth/register", mp_handle_register, JSON_BODY, true, false, NULL},
    {MP_POST, "/api/auth/login", mp_handle_login, JSON_BODY, true, false, NULL},
    {MP_POST, "/api/auth/refresh", mp_handle_refresh, JSON_BODY, true, false, NULL},
    {MP_POST, "/api/auth/logout", mp_handle_logout, JSON_BODY, true, true, NULL},
    {MP_GET, "/api/auth/me", mp_handle_me, 0, true, true, NULL},
    {MP_GET, "/api/auth/sessions", mp_handle_sessions, 0, true, true, NULL},
    {MP_DELETE, "/api/auth/sessions/{id}", mp_handle_end_session, 0, true, true, NULL},
    {MP_POST, "/api/auth/password", mp_handle_password, JSON_BODY, true, true, NULL},
    {MP_GET, "/api/audit", mp_handle_audit, 0, true, true, "audit.read"},
};
const size_t mp_n_routes = MP_COUNT(mp_routes);
