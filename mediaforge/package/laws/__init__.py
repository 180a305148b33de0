"""What must hold of a package, one subject a file. Each law looks at the whole contents and yields its findings."""
