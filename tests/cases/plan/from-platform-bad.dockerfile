# rule: from.platform
FROM --platform=linux/a/b/c alpine
