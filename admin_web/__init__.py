"""The office: server-rendered pages for the people who run the utility."""
