-- column: firewall_on BOOLEAN | The same as status, by the name that fleet has for it: whether the firewall is on.
status
