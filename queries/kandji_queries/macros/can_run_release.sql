-- title: Whether a model can run a release
-- description: Whether a model of device_models can run a release of os_releases, of the same system: one of the list of
--   models that the release has, else every model that can run its major version. Lists of macOS releases that are for
--   all Macs are passed over: they name boards, and not all there are. With the name of a release that has no list, one
--   of iOS alone is for no iPad, and one of iPadOS alone for iPads only. NULL where that is not known.
CREATE MACRO can_run_release(model, majors, os, major, scope, models, name := NULL) AS
    CASE
        WHEN nullif(models, []) IS NULL OR os = 'macOS' AND scope IS NOT DISTINCT FROM 'universal'
            THEN
                list_contains(majors, major)
                AND NOT coalesce(
                    os = 'iOS'
                    AND contains(name, 'iOS') <> contains(name, 'iPadOS')
                    AND contains(name, 'iPadOS') <> starts_with(model, 'iPad'),
                    false
                )
        ELSE list_contains(models, model)
    END;
