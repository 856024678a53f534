-- title: What contradicts itself, one row a device and contradiction
-- key: device_id, rule
-- description: Facts of one device that cannot both be true, or that belong to different times: marked missing yet in
--   contact, the device list and Prism at odds, an agent that is silent while MDM answers, two records of one machine.
--   A device without a row contradicts itself nowhere, as far as it is mirrored. Moments are UTC.
-- column: rule | Name of the contradiction.
-- column: says | The facts that do not go together.
-- column: why | How that comes about, and what to believe or do.
WITH facts AS (
    SELECT
        d.*,
        -- both are the state of one reading, so that they are compared with its moment, not with now
        coalesce(
            d.last_check_in >= (SELECT max(synced_at) FROM internal.table_states WHERE table_name = 'devices') - INTERVAL 1 DAY,
            false
        ) AS in_contact,
        strftime(d.last_check_in, '%Y-%m-%d %H:%M') AS seen,
        d.platform IN ('Mac', 'iPhone', 'iPad', 'AppleTV', 'Vision') AS apple,
        greatest(i.last_checkin_agent, x.agent_last_check_in) AS agent_seen,
        greatest(i.last_checkin_mdm, x.mdm_last_check_in) AS mdm_seen,
        i.os_version AS prism_os_version,
        i.device_user_email AS prism_user_email,
        strftime(i.last_collected_at, '%Y-%m-%d %H:%M') AS prism_collected,
        f.status AS prism_filevault,
        f.key_escrowed AS prism_escrowed,
        f.last_collected_at AS posture_at,
        x.filevault_enabled,
        x.filevault_prk_escrowed,
        l.device_activation_lock_enabled AS prism_device_lock,
        l.user_activation_lock_enabled AS prism_user_lock,
        x.device_activation_lock_enabled AS device_lock,
        x.user_activation_lock_enabled AS user_lock,
        x.lost_mode_status AS details_lost_mode,
        coalesce(u.archived, d.user_is_archived) AS archived,
        t.others
    FROM devices AS d
    LEFT JOIN prism_device_information AS i USING (device_id)
    LEFT JOIN prism_filevault AS f USING (device_id)
    LEFT JOIN prism_activation_lock AS l USING (device_id)
    LEFT JOIN device_details AS x USING (device_id)
    LEFT JOIN users AS u ON u.id = d.user_id
    LEFT JOIN (
        SELECT
            folded_id(serial_number) AS serial,
            count(*) AS records,
            string_agg(
                concat(
                    'id ', device_id,
                    coalesce(strftime(last_check_in, ', last contact %Y-%m-%d %H:%M'), ', never in contact'),
                    CASE WHEN is_removed THEN ', removed' END
                ),
                '; ' ORDER BY last_check_in DESC NULLS LAST, device_id
            ) AS others
        FROM devices
        WHERE serial_number <> ''
        GROUP BY ALL
        HAVING count(*) > 1
    ) AS t ON t.serial = folded_id(d.serial_number)
)
SELECT device_id, device_name, serial_number, found.rule, found.says, found.why
FROM (
    SELECT
        device_id,
        device_name,
        serial_number,
        unnest([
            {
                rule: 'missing_but_in_contact',
                holds: is_missing AND in_contact,
                says: concat('Marked missing, but it checked in at ', seen, '.'),
                why: 'The provider sets and clears the mark by a rule and at a time of its own; it was seen to change '
                    'without a check-in. The check-in is a fact: the device is there.'
            },
            {
                rule: 'removed_but_in_contact',
                holds: is_removed AND in_contact,
                says: concat('Marked removed, but it checked in at ', seen, '.'),
                why: 'A removed record stays listed. Either the removal is younger than the check-in, or the machine '
                    'is still managed: send a blank push, or look for a second record with its serial number.'
            },
            {
                rule: 'two_records',
                holds: others IS NOT NULL,
                says: concat('Serial number ', serial_number, ' has several records: ', others, '.'),
                why: 'A machine that was erased and enrolled anew gets a new record, and the old one stays. The one '
                    'in contact last is the machine as it is; name it by its id.'
            },
            {
                rule: 'agent_silent',
                holds: platform = 'Mac' AND mdm_seen > agent_seen + INTERVAL 3 DAY,
                says: concat(
                    'MDM was in contact at ', strftime(mdm_seen, '%Y-%m-%d %H:%M'), ', the agent last at ',
                    strftime(agent_seen, '%Y-%m-%d %H:%M'), '.'
                ),
                why: 'The agent is broken or gone: apps, scripts and parameters are as old as its last contact. '
                    'Restart the Mac or reinstall the agent.'
            },
            {
                rule: 'mdm_silent',
                holds: apple AND agent_seen > mdm_seen + INTERVAL 3 DAY,
                says: concat(
                    'The agent was in contact at ', strftime(agent_seen, '%Y-%m-%d %H:%M'), ', MDM last at ',
                    strftime(mdm_seen, '%Y-%m-%d %H:%M'), '.'
                ),
                why: 'MDM commands such as lock or erase may not arrive: send a blank push, renew the MDM profile, or '
                    'see whether the network lets Apple''s push service through.'
            },
            {
                rule: 'mdm_off_but_answers',
                holds: NOT mdm_enabled AND in_contact AND apple,
                says: concat('MDM is said to be off, but the device checked in at ', seen, '.'),
                why: 'The check-in may be the agent''s alone: without MDM no command and no profile reaches it.'
            },
            {
                rule: 'agent_missing_but_answers',
                holds: NOT agent_installed AND platform = 'Mac' AND agent_seen >= last_check_in - INTERVAL 1 DAY,
                says: concat(
                    'The agent is said not to be installed, but was in contact at ',
                    strftime(agent_seen, '%Y-%m-%d %H:%M'), '.'
                ),
                why: 'It was removed after that, or the device list is older than the agent.'
            },
            {
                rule: 'os_version_differs',
                holds: apple AND os_version <> prism_os_version,
                says: concat(
                    'The device list says OS ', os_version, ', Prism ', prism_os_version, ' (collected at ', prism_collected, ').'
                ),
                why: 'Prism collects on a schedule of its own, mostly once a day: after an update the device list is right first.'
            },
            {
                rule: 'person_differs',
                holds: folded(user_email) <> folded(prism_user_email),
                says: concat(
                    'The device list assigns it to ', user_email, ', Prism to ', prism_user_email, ' (collected at ',
                    prism_collected, ').'
                ),
                why: 'It was assigned to someone else since Prism collected; the device list is right first.'
            },
            {
                rule: 'filevault_differs',
                holds: filevault_enabled <> prism_filevault,
                says: concat(
                    'FileVault is ', CASE WHEN prism_filevault THEN 'on' ELSE 'off' END, ' by Prism (collected at ',
                    strftime(posture_at, '%Y-%m-%d %H:%M'), ') and ', CASE WHEN filevault_enabled THEN 'on' ELSE 'off' END,
                    ' by the device''s details.'
                ),
                why: 'They were collected at different times. Refresh the device and believe what is younger; '
                    'until then do not count the disk as encrypted.'
            },
            {
                rule: 'key_escrow_differs',
                holds: filevault_prk_escrowed <> prism_escrowed,
                says: concat(
                    'The FileVault key is ', CASE WHEN prism_escrowed THEN '' ELSE 'not ' END, 'escrowed by Prism and ',
                    CASE WHEN filevault_prk_escrowed THEN '' ELSE 'not ' END, 'by the device''s details.'
                ),
                why: 'They were collected at different times. Refresh the device before you rely on the key.'
            },
            {
                rule: 'activation_lock_differs',
                holds: device_lock <> prism_device_lock OR user_lock <> prism_user_lock,
                says: concat(
                    'Activation Lock by Prism: device-based ', CASE WHEN prism_device_lock THEN 'on' WHEN NOT prism_device_lock THEN 'off' ELSE 'not known' END,
                    ', a person''s ', CASE WHEN prism_user_lock THEN 'on' WHEN NOT prism_user_lock THEN 'off' ELSE 'not known' END,
                    '; by the device''s details: ', CASE WHEN device_lock THEN 'on' WHEN NOT device_lock THEN 'off' ELSE 'not known' END,
                    ', ', CASE WHEN user_lock THEN 'on' WHEN NOT user_lock THEN 'off' ELSE 'not known' END, '.'
                ),
                why: 'They were collected at different times. Refresh the device before it is erased or handed on.'
            },
            {
                rule: 'lost_mode_differs',
                holds: (upper(lost_mode_status) = 'ENABLED') <> (upper(details_lost_mode) = 'ENABLED'),
                says: concat('Lost mode is ', lost_mode_status, ' by the device list and ', details_lost_mode, ' by the device''s details.'),
                why: 'It was switched between the two readings: refresh the device.'
            },
            {
                rule: 'archived_person_in_contact',
                holds: archived AND in_contact AND NOT coalesce(is_removed, false),
                says: concat('Assigned to ', coalesce(user_name, user_email, 'a person'), ', who is archived, but it checked in at ', seen, '.'),
                why: 'Somebody uses it: whoever left still has it, or it was handed on without a new assignment.'
            },
            {
                rule: 'posture_older_than_contact',
                holds: platform = 'Mac' AND NOT coalesce(is_removed, false) AND posture_at < last_check_in - INTERVAL 3 DAY,
                says: concat(
                    'It checked in at ', seen, ', but its security facts are of ', strftime(posture_at, '%Y-%m-%d %H:%M'), '.'
                ),
                why: 'The Mac answers without reporting: the facts may have changed since, so do not call them current.'
            },
            {
                rule: 'contact_in_the_future',
                holds: last_check_in > (now() AT TIME ZONE 'UTC') + INTERVAL 10 MINUTE,
                says: concat('Its last check-in is at ', seen, ', which is still to come.'),
                why: 'A clock is wrong: that of the provider''s record or of this machine. Do not count its age.'
            }
        ]) AS found
    FROM facts
)
WHERE found.holds;
