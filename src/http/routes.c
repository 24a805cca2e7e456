/* routes.c - every path that the service answers. */
#include "http/route.h"

const mp_route mp_routes[] = {
    {MP_GET, "/health", mp_handle_health, 0, false},
    {MP_GET, "/health/live", mp_handle_live, 0, false},
    {MP_GET, "/health/ready", mp_handle_ready, 0, true},
    {MP_GET, "/health/dependencies", mp_handle_dependencies, 0, true},
    {MP_GET, "/metrics", mp_handle_metrics, 0, false},
};
const size_t mp_n_routes = MP_COUNT(mp_routes);
