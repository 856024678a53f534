-- title: Local accounts
-- description: Accounts of people on a Mac, and their rights.
-- most: 40
-- column: username | Account
-- column: type | Kind
-- column: secure_token | Secure token | yes/no
-- column: full_name | Name
SELECT username, full_name, type, hidden_user, secure_token, filevault_user, logged_in
FROM prism_local_users
WHERE device_id = $device_id AND uid >= 500
ORDER BY username;
