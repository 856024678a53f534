-- title: Contact
-- description: When it was heard of last, and by what.
-- usual: yes
-- one: yes
-- column: last_check_in | Last check-in
-- column: mdm_last_check_in | Last by MDM | | iPhone, iPad, AppleTV, Vision, Mac
-- column: agent_last_check_in | Last by the agent | | Mac, Windows, Android
-- column: agent_version | Agent version | | Mac, Windows, Android
-- column: mdm_enabled | MDM | on/off
SELECT
    d.last_check_in,
    greatest(i.last_checkin_mdm, x.mdm_last_check_in) AS mdm_last_check_in,
    -- what phones and Apple TVs have there is MDM's
    CASE
        WHEN d.platform NOT IN ('iPhone', 'iPad', 'AppleTV', 'Vision')
            THEN greatest(i.last_checkin_agent, x.agent_last_check_in)
    END AS agent_last_check_in,
    d.agent_version,
    d.mdm_enabled
FROM devices AS d
LEFT JOIN prism_device_information AS i USING (device_id)
LEFT JOIN device_details AS x USING (device_id)
WHERE d.device_id = $device_id;
