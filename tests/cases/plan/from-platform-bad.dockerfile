# rule: from.platform
FROM --platform=linux/a/b/c alpine
FROM --platform=amd46 alpine
