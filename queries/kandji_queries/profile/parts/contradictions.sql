-- title: What contradicts itself
-- description: Facts that do not go together, and how that comes about; none is a good sign.
-- usual: yes
-- most: 6
-- texts: yes
-- column: says | What
-- column: why | Why
SELECT rule, says, why
FROM contradictions
WHERE device_id = $device_id
ORDER BY rule;
