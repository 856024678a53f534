-- column: name VARCHAR | The same as common_name: name of the certificate.
common_name
