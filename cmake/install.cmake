# libmagpie.{a,so}, the header, pkg-config file, man page and completions.
