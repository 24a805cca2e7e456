/* routes.c - every path that the service answers. */
#include "http/route.h"

enum { JSON_BODY = 1024 * 1024 };

const mp_route mp_routes[] = {
    {MP_GET, "/health", mp_handle_health, 0, false, false},
    {MP_GET, "/health/live", mp_handle_live, 0, false, false},
    {MP_GET, "/health/ready", mp_handle_ready, 0, true, false},
    {MP_GET, "/health/dependencies", mp_handle_dependencies, 0, true, false},
    {MP_GET, "/metrics", mp_handle_metrics, 0, false, false},
    {MP_POST, "/api/auth/setup", mp_handle_setup, JSON_BODY, true, false},
    {MP_POST, "/api/auth/register", mp_handle_register, JSON_BODY, true, false},
    {MP_POST, "/api/auth/login", mp_handle_login, JSON_BODY, true, false},
    {MP_POST, "/api/auth/refresh", mp_handle_refresh, JSON_BODY, true, false},
    {MP_POST, "/api/auth/logout", mp_handle_logout, JSON_BODY, true, true},
    {MP_GET, "/api/auth/me", mp_handle_me, 0, true, true},
};
const size_t mp_n_routes = MP_COUNT(mp_routes);
