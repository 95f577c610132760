# a directory of the base is renamed by the call alone
#: core
python3 -c 'import os; os.rename("/usr/share/perl5", "/usr/share/perl6"); os.rename("/usr/share/perl6", "/usr/share/perl5")'
