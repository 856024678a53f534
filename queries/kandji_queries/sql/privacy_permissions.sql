-- title: What apps may do on Macs
-- description: Privacy permissions of macOS: for each protected service and each application that has asked, on how
--   many Macs it is allowed or denied, and who decided. SystemPolicyAllFiles is Full Disk Access.
-- counts: devices
-- param: service text optional | Part of the service's name, such as ScreenCapture.
-- param: status enum(any, Allowed, Denied) = Allowed | Which decisions.
-- column: last_decided | When it was last decided on any of them, UTC.
SELECT
    service,
    application,
    client_type,
    status,
    status_reason,
    count(DISTINCT device_id) AS macs,
    max(last_modified) AS last_decided
FROM prism_transparency_database
WHERE
    ($service IS NULL OR contains(folded(service), folded($service)))
    AND ($status = 'any' OR lower(status) = lower($status))
GROUP BY service, application, client_type, status, status_reason
ORDER BY service, macs DESC, application, client_type, status, status_reason;
