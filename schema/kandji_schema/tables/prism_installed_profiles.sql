-- column: name VARCHAR | The same as profile_display_name: name of the profile.
profile_display_name
