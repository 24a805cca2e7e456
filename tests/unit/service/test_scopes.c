/* What roles and scopes allow. */
#include "../test.h"

#include "service/auth.h"

static void scopes_allow_what_they_say(void **state)
{
    (void)state;
    static const struct {
        const char *scopes, *permission;
        bool may;
    } cases[] = {
        {NULL, "users.write", true}, /* a person */
        {"", "assets.read", false},
        {"assets.read", "assets.read", true},
        {"assets.read", "assets.reads", false},
        {"assets.reads", "assets.read", false},
        {"assets.read", "assets.write", false},
        {"projects.read assets.read", "assets.read", true},
        {"projects.read assets.read", "projects.read", true},
        {"projects.read  assets.read", "assets.read", true},
        {"assets.*", "assets.own", true},
        {"assets.*", "assetsx.read", false},
        {"assets.*", "projects.read", false},
        {"x assets.* y", "assets.read", true},
        {"*", "keys.write", true},
        {"* x", "keys.write", true},
        {"x*", "keys.write", false},
    };
    for (size_t i = 0; i < MP_COUNT(cases); i++)
        if (mp_scopes_may(cases[i].scopes, cases[i].permission) != cases[i].may)
            fail_msg("'%s' for %s", cases[i].scopes, cases[i].permission);
}

static void scopes_have_one_form(void **state)
{
    (void)state;
    static const char *const fine[] = {"*", "assets.read", "assets.*", "a.b", "api_keys.own"};
    static const char *const bad[] = {"",         " ",       "assets", "assets.",  ".read",
                                      "a.b.c",    "a.**",    "**",     "*.read",   "Assets.read",
                                      "a b.read", "a.read ", "a.r*",   "a.read\n", "\xC3\xA9.read"};
    for (size_t i = 0; i < MP_COUNT(fine); i++)
        if (!mp_scope_is(fine[i]))
            fail_msg("%s", fine[i]);
    for (size_t i = 0; i < MP_COUNT(bad); i++)
        if (mp_scope_is(bad[i]))
            fail_msg("'%s'", bad[i]);
    char longest[80] = "a.";
    for (size_t n = 2; n < 66; n++)
        longest[n] = 'b';
    assert_false(mp_scope_is(longest));
    longest[64] = '\0';
    assert_true(mp_scope_is(longest));
}

static void roles_are_known(void **state)
{
    (void)state;
    assert_true(mp_role_is("admin") && mp_role_is("operator"));
    assert_true(mp_role_is("user") && mp_role_is("guest"));
    assert_false(mp_role_is("root") || mp_role_is("") || mp_role_is("Admin"));
    assert_true(mp_role_may("admin", "keys.write"));
    assert_false(mp_role_may("operator", "keys.write"));
    assert_true(mp_role_may("operator", "models.read"));
    assert_false(mp_role_may("operator", "models.write") ||
                 mp_role_may("operator", "settings.read"));
    size_t n = 0;
    while (mp_role_at(n))
        assert_true(mp_role_is(mp_role_at(n++)));
    assert_int_equal(n, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(scopes_allow_what_they_say),
                                       cmocka_unit_test(scopes_have_one_form),
                                       cmocka_unit_test(roles_are_known)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
