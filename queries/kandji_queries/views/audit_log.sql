-- title: Live actions and who did them
-- key: seq desc
-- description: One row a record of the audit log of live actions: previews offered, intents, outcomes, refusals. The
--   records of one attempt share action_id. `kandji-mirror audit verify` proves that none was changed. In privacy mode
--   what is about people is NULL here for AI clients.
SELECT * FROM internal.audit_records ORDER BY seq;
