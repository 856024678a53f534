-- column: is_archived BOOLEAN | The same as archived, which devices and fleet call user_is_archived.
archived
