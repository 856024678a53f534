-- column: filevault_on BOOLEAN | The same as status, by the name that fleet has for it: whether FileVault is on.
status
